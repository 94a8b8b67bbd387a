public import Glibc
public import Media

/// The wall clock that libssl sees on this thread.
///
/// libssl measures its handshake timer with `gettimeofday`. Linking this target puts the definition below in front of
/// the C library's, so that a test's own time can be libssl's: set it before each call into a DTLS connection. On threads
/// that set nothing, and when it was set to `nil`, it is the real time.
public enum WallClock {
    /// Makes `now`, or the real time, what libssl reads on this thread.
    public static func set(_ now: MediaInstant?) {
        // Zero is "not set", so the epoch is put one day in.
        let microseconds = now.map { UInt($0.nanoseconds / 1000) + 86_400_000_000 } ?? 0
        pthread_setspecific(threadKey, UnsafeRawPointer(bitPattern: microseconds))
    }

    fileprivate static let threadKey: pthread_key_t = {
        var key = pthread_key_t()
        pthread_key_create(&key, nil)
        return key
    }()
}

/// The C library's function, with this thread's time when it has one.
// Safe: C promises a writable `timeval` or null.
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
