import Logging
import NIOCore

/// Thrown to close a connection that is one too many.
struct ConnectionRefused: Error {}
