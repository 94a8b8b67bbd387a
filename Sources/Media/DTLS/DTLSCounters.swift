/// What a connection ignored or dropped.
struct DTLSCounters: Equatable {
    /// Datagrams that cannot be DTLS, or came before `start` or after the end.
    var ignoredDatagrams: UInt64 = 0
    /// Bytes of application data thrown away because they came before the peer's certificate was judged.
    var ignoredApplicationBytes: UInt64 = 0
    /// Flights sent again because their answer did not come, or because the peer repeated its own.
    var retransmissions: UInt64 = 0
    /// Outgoing datagrams dropped because nobody polled them.
    var droppedOutgoing: UInt64 = 0
    /// What our record layer dropped.
    var records = DTLSRecordCounters()
}
