/// The client's address has as many bytes in the server as it may.
struct MemoryRefused: Error {}
