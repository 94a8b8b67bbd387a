import RoundhouseMedia

/// Reads shared shapes of capabilities and parameters, with mediasoup's messages.
enum RTPFields {
    static func kind(ofMIMEType mimeType: String) -> MediaKind? {
        let parts = mimeType.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[1].isEmpty else { return nil }
        return MediaKind(rawValue: parts[0].lowercased())
    }

    static func mimeType(_ codec: JSONReader) throws(JSONFieldError) -> (text: String, kind: MediaKind) {
        let field = try codec.required("mimeType", "missing codec.mimeType")
        let text = try field.string("missing codec.mimeType", limit: 128)
        guard let kind = kind(ofMIMEType: text) else { throw field.failure("invalid codec.mimeType") }
        return (text, kind)
    }

    static func payloadType(_ field: JSONReader, _ problem: String) throws(JSONFieldError) -> UInt8 {
        let number = try field.integer(UInt8.self, problem)
        guard number < 128 else { throw field.failure(problem) }
        return number
    }

    static func clockRate(_ codec: JSONReader) throws(JSONFieldError) -> UInt32 {
        try codec.required("clockRate", "missing codec.clockRate").integer(UInt32.self, "missing codec.clockRate")
    }

    /// mediasoup gives audio one channel if the number is absent or not a number, and video none.
    static func channels(_ codec: JSONReader, _ kind: MediaKind) throws(JSONFieldError) -> UInt8? {
        guard kind == .audio else { return nil }
        guard let field = try codec.optional("channels") else { return 1 }
        return (try? field.integer(UInt8.self)) ?? 1
    }

    static func parameters(
        _ owner: JSONReader, _ problem: String, checkingAPT: Bool
    ) throws(JSONFieldError) -> [String: CodecParameter] {
        guard let field = try owner.optional("parameters") else { return [:] }
        var result: [String: CodecParameter] = [:]
        for (name, value) in try field.fields() {
            switch value.value {
            case .string(let text): result[name] = .string(text)
            case .integer(let number): result[name] = .integer(Int(number))
            case .number(let number): result[name] = .number(number)
            // An absent value becomes the empty string, as mediasoup does with `undefined`.
            case .null: result[name] = .string("")
            default: throw value.failure("\(problem) [key:\(name)]")
            }
            if checkingAPT, name == "apt" {
                guard case .integer = value.value else { throw value.failure("invalid codec apt parameter") }
            }
        }
        guard result.count <= 64 else { throw field.failure("more than 64 parameters") }
        return result
    }

    static func feedback(_ codec: JSONReader) throws(JSONFieldError) -> [RTCPFeedback] {
        guard let field = try codec.optional("rtcpFeedback") else { return [] }
        var result: [RTCPFeedback] = []
        for entry in try field.array("rtcpFeedback is not an array", limit: 64) {
            let type = try entry.required("type", "missing fb.type", notObject: "fb is not an object")
                .string("missing fb.type", limit: 64)
            // mediasoup replaces a parameter that is not a string by the empty one.
            let parameter = try? entry.optional("parameter")?.string(limit: 64)
            result.append(RTCPFeedback(type: type, parameter: parameter ?? ""))
        }
        return result
    }
}
