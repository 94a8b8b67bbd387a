/// Which part of a list is asked for.
struct StatePage {
    var limit: Int
    var offset: Int

    func of<Item>(_ items: [Item]) -> ArraySlice<Item> { items.dropFirst(offset).prefix(limit) }
}
