/// First in, first out.
struct Queue<Element: Sendable>: Sendable {
  private var elements: [Element] = []
  private var head = 0

  var count: Int { elements.count - head }
  var isEmpty: Bool { head == elements.count }
  var first: Element? { isEmpty ? nil : elements[head] }
  var last: Element? { isEmpty ? nil : elements[elements.count - 1] }
  var byteCount: Int { elements.capacity * MemoryLayout<Element>.stride }

  mutating func append(_ element: Element) { elements.append(element) }

  mutating func removeFirst() {
    head += 1
    if head * 2 > elements.count {
      elements.removeFirst(head)
      head = 0
    }
  }
}
