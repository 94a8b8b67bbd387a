/// A value out of line, so that its owner stays small, and is fetched fast, while it has none.
// Safe: `memory` holds one initialized value from `init` to `deinit`, and is reached through its owner only.
struct Box<Value>: ~Copyable {
    private let memory: UnsafeMutablePointer<Value>

    init(_ value: consuming Value) {
        memory = .allocate(capacity: 1)
        memory.initialize(to: value)
    }

    deinit {
        memory.deinitialize(count: 1)
        memory.deallocate()
    }

    var value: Value {
        @inline(__always)
        _read { yield memory.pointee }
        @inline(__always)
        _modify { yield &memory.pointee }
    }
}
