import Testing

@testable import RoundhouseMedia

@Suite struct QualityMeasureTests {
    @Test func `every measure has its buckets, ascending, and every value one of them`() {
        for measure in QualityMeasure.allCases {
            #expect(measure.bounds.count == QualityMeasure.buckets - 1 && measure.bounds.sorted() == measure.bounds)
            let counters = Counters()
            for bound in measure.bounds { counters.observe(measure, .video, bound) }
            counters.observe(measure, .video, 10_000_000)
            let histogram = counters.histogram(of: measure, .video)
            #expect(histogram.counts == Array(repeating: 1, count: QualityMeasure.buckets), "\(measure)")
            #expect(histogram.sum == measure.bounds.reduce(10_000_000, +))
            // Nothing is written beside it.
            for other in QualityMeasure.allCases {
                #expect(counters.histogram(of: other, .audio).sum == 0, "\(other)")
                if other != measure { #expect(counters.histogram(of: other, .video).sum == 0, "\(other)") }
            }
            #expect(DTLSFailure.allCases.allSatisfy { counters.value($0) == 0 })
        }
    }
}
