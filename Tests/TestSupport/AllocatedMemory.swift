// Reads the media plane's internals, which a release build shows only with -enable-testing -DTESTING.
#if DEBUG || TESTING
    import Glibc

    /// What the process holds from the C allocator.
    // Safe: the symbol's type is that of <malloc.h>; `open_memstream` hands over a buffer that is read after the stream is
    // closed, and freed once.
    enum AllocatedMemory {
        private typealias MallocInfo = @convention(c) (Int32, UnsafeMutablePointer<FILE>) -> Int32

        /// Bytes in use as glibc's `malloc_info` tells them; its per-thread caches count as used. `nil` with another
        /// allocator, a sanitizer's for instance.
        static func bytesInUse() -> Int? {
            // Glibc's module map leaves <malloc.h> out.
            guard let symbol = dlsym(nil, "malloc_info") else { return nil }
            let mallocInfo = unsafeBitCast(symbol, to: MallocInfo.self)
            var buffer: UnsafeMutablePointer<CChar>?
            var size = 0
            guard let stream = open_memstream(&buffer, &size) else { return nil }
            let result = mallocInfo(0, stream)
            fclose(stream)
            guard let buffer else { return nil }
            defer { free(buffer) }
            guard result == 0 else { return nil }
            let lines = String(cString: buffer).split(separator: "\n")
            // Behind the last arena stand the totals of all of them.
            guard let end = lines.lastIndex(of: "</heap>") else { return nil }
            let totals = lines[end...]
            func bytes(_ element: String) -> Int {
                guard let line = totals.first(where: { $0.hasPrefix(element) }) else { return 0 }
                let parts = line.split(separator: "\"", omittingEmptySubsequences: false)
                guard let name = parts.firstIndex(where: { $0.hasSuffix("size=") }), name + 1 < parts.count else {
                    return 0
                }
                return Int(parts[name + 1]) ?? 0
            }
            let held = bytes("<system type=\"current\"") + bytes("<total type=\"mmap\"")
            return held > 0 ? held - bytes("<total type=\"fast\"") - bytes("<total type=\"rest\"") : nil
        }
    }
#endif
