/// A value out of line, so that its owner stays small, and is fetched fast, while it has none.
// Safe: `memory` holds one initialized value from `init` to `deinit`, and is reached through its owner only.
@safe struct Box<Value>: ~Copyable {
    private let memory: UnsafeMutablePointer<Value>

    init(_ value: consuming Value) {
        unsafe memory = .allocate(capacity: 1)
        unsafe memory.initialize(to: value)
    }

    deinit {
        unsafe memory.deinitialize(count: 1)
        unsafe memory.deallocate()
    }

    var value: Value {
        @inline(__always)
        _read { yield unsafe memory.pointee }
        @inline(__always)
        _modify { yield unsafe &memory.pointee }
    }
}
