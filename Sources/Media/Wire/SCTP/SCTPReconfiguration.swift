/// RE-CONFIG (RFC 6525 §3.1): one request or response, or two.
struct SCTPReconfiguration: Hashable, Sendable {
    /// What a request asks, or a response answers (RFC 6525 §4).
    enum Parameter: Hashable, Sendable {
        /// The sender has reset, or resets, these of its outgoing streams; none listed means all.
        case outgoingReset(request: TSN, response: TSN, lastAssigned: TSN, streams: [UInt16])
        /// The receiver is to reset these of its outgoing streams.
        case incomingReset(request: TSN, streams: [UInt16])
        /// Both are to begin again with all streams and numbers.
        case tsnReset(request: TSN)
        case response(request: TSN, result: Result)
        case addOutgoingStreams(request: TSN, count: UInt16)
        case addIncomingStreams(request: TSN, count: UInt16)

        /// A request's number; `nil` for a response.
        var requestNumber: TSN? {
            switch self {
            case .outgoingReset(let number, _, _, _), .incomingReset(let number, _), .tsnReset(let number),
                .addOutgoingStreams(let number, _), .addIncomingStreams(let number, _):
                number
            case .response: nil
            }
        }
    }

    /// RFC 6525 §4.4.
    enum Result: UInt32, Sendable {
        case nothingToDo = 0
        case performed, denied, wrongSSN, requestInProgress, badSequenceNumber, inProgress
    }

    var parameters: [Parameter]

    init(_ parameters: [Parameter]) { self.parameters = parameters }

    /// - Throws: `truncated`; `malformed` without a parameter, with an unknown result or with half a stream; `tooLarge`
    ///   for more than two parameters; `unexpectedType` for one that is not known.
    init(parsing chunk: SCTPChunkView) throws(WireError) {
        var iterator = unsafe SCTPParameterIterator(chunk.value)
        parameters = []
        while let parameter = try iterator.next() {
            guard parameters.count < 2 else { throw .tooLarge }
            var reader = unsafe ByteReader(parameter.value)
            let number = TSN(try reader.readUInt32())
            parameters.append(try Self.read(parameter.type, number, &reader))
        }
        guard !parameters.isEmpty else { throw .malformed }
    }

    private static func read(
        _ type: UInt16, _ number: TSN, _ reader: inout ByteReader
    ) throws(WireError) -> Parameter {
        switch type {
        case SCTPParameterType.outgoingReset:
            let response = TSN(try reader.readUInt32())
            let lastAssigned = TSN(try reader.readUInt32())
            return .outgoingReset(
                request: number, response: response, lastAssigned: lastAssigned, streams: try streams(&reader))
        case SCTPParameterType.incomingReset: return .incomingReset(request: number, streams: try streams(&reader))
        case SCTPParameterType.tsnReset: return .tsnReset(request: number)
        case SCTPParameterType.response:
            guard let result = Result(rawValue: try reader.readUInt32()) else { throw .malformed }
            return .response(request: number, result: result)
        case SCTPParameterType.addOutgoingStreams:
            return .addOutgoingStreams(request: number, count: try reader.readUInt16())
        case SCTPParameterType.addIncomingStreams:
            return .addIncomingStreams(request: number, count: try reader.readUInt16())
        default: throw .unexpectedType
        }
    }

    private static func streams(_ reader: inout ByteReader) throws(WireError) -> [UInt16] {
        guard reader.remaining % 2 == 0 else { throw .malformed }
        var streams: [UInt16] = []
        streams.reserveCapacity(reader.remaining / 2)
        while reader.remaining > 0 { streams.append(try reader.readUInt16()) }
        return streams
    }

    func write(into writer: inout SCTPPacketWriter) throws(WireError) {
        try writer.beginChunk(.reconfiguration)
        for parameter in parameters { try Self.write(parameter, into: &writer) }
        try writer.endChunk()
    }

    private static func write(_ parameter: Parameter, into writer: inout SCTPPacketWriter) throws(WireError) {
        let start: Int
        switch parameter {
        case .outgoingReset(let request, let response, let lastAssigned, let streams):
            start = try writer.beginParameter(SCTPParameterType.outgoingReset)
            for number in [request, response, lastAssigned] { try writer.writeUInt32(number.rawValue) }
            for stream in streams { try writer.writeUInt16(stream) }
        case .incomingReset(let request, let streams):
            start = try writer.beginParameter(SCTPParameterType.incomingReset)
            try writer.writeUInt32(request.rawValue)
            for stream in streams { try writer.writeUInt16(stream) }
        case .tsnReset(let request):
            start = try writer.beginParameter(SCTPParameterType.tsnReset)
            try writer.writeUInt32(request.rawValue)
        case .response(let request, let result):
            start = try writer.beginParameter(SCTPParameterType.response)
            try writer.writeUInt32(request.rawValue)
            try writer.writeUInt32(result.rawValue)
        case .addOutgoingStreams(let request, let count):
            start = try writer.beginParameter(SCTPParameterType.addOutgoingStreams)
            try writer.writeUInt32(request.rawValue)
            try writer.writeUInt16(count)
            try writer.writeUInt16(0)
        case .addIncomingStreams(let request, let count):
            start = try writer.beginParameter(SCTPParameterType.addIncomingStreams)
            try writer.writeUInt32(request.rawValue)
            try writer.writeUInt16(count)
            try writer.writeUInt16(0)
        }
        try writer.endParameter(start)
    }
}
