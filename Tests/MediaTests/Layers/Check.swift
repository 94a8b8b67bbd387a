import Testing

/// `#expect` for conditions that call mutating functions, which the macro cannot take apart.
func check(_ condition: Bool, _ comment: String = "", sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(condition, "\(comment)", sourceLocation: sourceLocation)
}
