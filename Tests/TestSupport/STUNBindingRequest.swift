#if DEBUG || TESTING
    @testable import RoundhouseMedia

    /// A client's connectivity check (RFC 8445 §7.1.1, §7.2.2).
    struct STUNBindingRequest {
        var transactionID: STUNTransactionID
        /// The receiver's username fragment, a colon, the sender's.
        var username: String
        var priority: UInt32
        /// The sender's tiebreaker as the controlling agent; `nil` makes it the controlled one.
        var controlling: UInt64?
        var controlled: UInt64?
        var hasUseCandidate = false
        var nomination: UInt32?

        init(transactionID: STUNTransactionID, username: String, priority: UInt32, controlling: UInt64? = nil) {
            self.transactionID = transactionID
            self.username = username
            self.priority = priority
            self.controlling = controlling
        }

        /// Writes the request, protected by the receiver's password.
        func write(into writer: inout ByteWriter, key: HMACSHA1Key) throws(WireError) {
            var message = try STUNMessageWriter(writer, class: .request, transactionID: transactionID)
            try message.append(.username, text: username)
            if let controlling { try message.append(.iceControlling, uint64: controlling) }
            if let controlled { try message.append(.iceControlled, uint64: controlled) }
            try message.append(.priority, uint32: priority)
            if hasUseCandidate { try message.appendFlag(.useCandidate) }
            if let nomination { try message.append(.nomination, uint32: nomination) }
            try message.appendMessageIntegrity(key)
            try message.appendFingerprint()
            writer = message.finish()
        }
    }
#endif
