import CMalloc

/// How the process's allocator is set up.
enum Allocator {
  /// Keeps the memory of pages and replies, some 100 KB that come and go with every scrape: by default the allocator
  /// gives them back to the system each time, and 60 page faults later has them again.
  static func keepScrapeBuffers() {
    mallopt(M_MMAP_THRESHOLD, 1 << 20)
    mallopt(M_TRIM_THRESHOLD, 4 << 20)
  }

  /// Gives what is free back to the system, also from between what is in use: by itself the allocator gives back only the
  /// end of each thread's memory, so that a few large queries one after another would come to hold several times as much.
  static func giveBackFree() { malloc_trim(0) }
}
