/// As what an explanation is answered.
enum ExplanationFormat: String, CaseIterable {
    case json, text

    /// - Parameter accepted: a request's `Accept`; JSON unless it asks for plain text and for no JSON.
    init(accepted: String?) {
        let wantsText = accepted.map { $0.contains("text/plain") && !$0.contains("json") } ?? false
        self = wantsText ? .text : .json
    }
}
