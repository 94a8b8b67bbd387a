/// Finds what a person meant who mistyped a name.
enum NearestName {
    /// - Returns: the candidate with the fewest changed letters, if it is near enough to be meant.
    static func of(_ name: String, among candidates: [String]) -> String? {
        let ranked = candidates.map { (name: $0, distance: distance(name, $0)) }
        guard let best = ranked.min(by: { $0.distance < $1.distance }) else { return nil }
        return best.distance <= max(2, name.count / 2) ? best.name : nil
    }

    /// Letters to insert, remove or replace (Levenshtein).
    static func distance(_ a: String, _ b: String) -> Int {
        let a = Array(a.prefix(128)), b = Array(b.prefix(128))
        var row = Array(0...b.count)
        for (i, letter) in a.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, other) in b.enumerated() {
                let above = row[j + 1]
                row[j + 1] = min(above + 1, row[j] + 1, diagonal + (letter == other ? 0 : 1))
                diagonal = above
            }
        }
        return row[b.count]
    }
}
