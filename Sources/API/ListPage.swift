/// One page of a list that is shown newest first.
struct ListPage<Element: Sendable>: Sendable {
  let elements: [Element]
  let hasMore: Bool

  static var empty: ListPage { ListPage(elements: [], hasMore: false) }

  /// - Parameters:
  ///   - page: from 1.
  ///   - newest: the newest elements, so many at the most.
  static func read(_ page: Int, size: Int, newest: (_ limit: Int) async -> [Element]) async -> ListPage {
    let start = (page - 1) * size
    // One more than is shown tells whether there are more.
    let found = await newest(start + size + 1)
    return ListPage(elements: Array(found.dropFirst(start).prefix(size)), hasMore: found.count > start + size)
  }
}
