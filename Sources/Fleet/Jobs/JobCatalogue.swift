/// Every job: a new one is a file and a line here.
public enum JobCatalogue {
  public static let all: [any Job] = [
    Retention(), Audit(),
  ]
}
