// Safe: a message names memory of the shard's batcher, which stays as it is until `send` has returned.

/// Where a shard's datagrams go once a tick: the kernel's sockets, or a simulated network in tests.
///
/// Called once per batch of messages, never per packet.
protocol DatagramOutput: AnyObject {
    /// Sends messages from one of the shard's sockets. Returns how many datagrams (not messages) were refused.
    func send(_ messages: UnsafePointer<OutgoingMessage>, count: Int, from socket: Int) -> Int

    /// Begins to receive from, and to send on, a socket for all transports.
    /// - Returns: its number, below `Shard.mostSockets`; `nil` if there are that many, or the system watches no more.
    func listen(on socket: AttachedSocket) -> Int?

    /// Begins to receive from, and to send on, a socket that belongs to one transport.
    /// - Returns: its number, from `Shard.mostSockets` on; `nil` if the system watches no more.
    func attach(_ socket: AttachedSocket) -> Int?

    /// Ends what `listen` or `attach` began. The number may be given again.
    func detach(_ socket: Int)

    /// Gives bytes to a client's connection.
    /// - Returns: how many it took: of fewer than all, `connectionWritable` says when it takes more; `nil` if it is broken.
    func write(_ bytes: UnsafeRawBufferPointer, to connection: Int) -> Int?

    /// Closes a client's connection. The number may be given again.
    func closeConnection(_ connection: Int)

    /// Gives a client's connection up without closing it. The number may be given again.
    /// - Returns: its descriptor, negative in simulations; `nil` if there is no such connection.
    func releaseConnection(_ connection: Int) -> Int32?

    /// Begins to receive on a connection that was given up elsewhere, or else closes it.
    func keepConnection(_ descriptor: Int32, as connection: Int) -> Bool
}
