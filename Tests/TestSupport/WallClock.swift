public import Glibc
public import RoundhouseMedia

/// The wall clock that libssl sees on this thread.
///
/// libssl measures its handshake timer with `gettimeofday`. The definition below stands in front of the C library's in a
/// test executable, so that a test's own time can be libssl's: set it before each call into a DTLS connection. On threads
/// that set nothing it is the real time.
public enum WallClock {
    /// Makes `now`, or the real time, what libssl reads on this thread.
    public static func set(_ now: MediaInstant?) {
        // Zero means "not set", so the first day is left out.
        let microseconds = now.map { UInt($0.nanoseconds / 1000) + day } ?? 0
        pthread_setspecific(threadKey, UnsafeRawPointer(bitPattern: microseconds))
    }

    /// Whether libraries see this clock. For that the executable has to export the definition below, which is asked of
    /// the linker in Package.swift.
    public static let isInForce: Bool = {
        typealias Function = @convention(c) (UnsafeMutablePointer<timeval>?, UnsafeMutableRawPointer?) -> Int32
        guard let symbol = dlsym(nil, "gettimeofday") else { return false }
        let found = unsafeBitCast(symbol, to: Function.self)
        set(MediaInstant(nanoseconds: 5_000_000_000))
        defer { set(nil) }
        var time = timeval()
        return found(&time, nil) == 0 && time.tv_sec == Int(day / 1_000_000) + 5
    }()

    private static let day: UInt = 86_400_000_000

    fileprivate static let threadKey: pthread_key_t = {
        var key = pthread_key_t()
        pthread_key_create(&key, nil)
        return key
    }()
}

// Safe: C promises a writable `timeval` or null.

/// The C library's function, with this thread's time when it has one.
@_cdecl("gettimeofday")
public func testGetTimeOfDay(_ time: UnsafeMutablePointer<timeval>?, _ zone: UnsafeMutableRawPointer?) -> Int32 {
    let set = UInt(bitPattern: pthread_getspecific(WallClock.threadKey))
    if set != 0 {
        time?.pointee = timeval(tv_sec: Int(set / 1_000_000), tv_usec: Int(set % 1_000_000))
        return 0
    }
    var real = timespec()
    clock_gettime(CLOCK_REALTIME, &real)
    time?.pointee = timeval(tv_sec: real.tv_sec, tv_usec: real.tv_nsec / 1000)
    return 0
}
