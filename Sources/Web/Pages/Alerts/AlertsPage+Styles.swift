extension AlertsPage {
  static let styles: HTML = """

    section { border-top: 2px solid var(--tone, var(--line)); margin-top: 1.4rem; }
    section h2 { margin: .6rem 0 .3rem; } section.group h3 span { font-weight: 400; }
    section.group { border-top-width: 1px; } section.group p { margin: .1rem 0 .3rem; }
    \(cardStyles)
    .runbook { border: 1px solid var(--line); border-radius: .3rem; padding: 0 .8rem; }
    .runbook summary { font-weight: 600; }
    \(RunbookPage.markdownStyles)
    """

  /// Of one alert, wherever it stands.
  static let cardStyles: HTML = """
    .card { border-left: .35rem solid var(--tone); background: var(--card); padding: .4rem .8rem; margin: .5rem 0;
      border-radius: .3rem; }
    .card h3 { margin: .1rem 0 .2rem; } .card p { margin: .2rem 0; }
    .labels { list-style: none; display: flex; flex-wrap: wrap; gap: .3rem; margin: .4rem 0; padding: 0; }
    .card dl { display: grid; gap: .1rem 1.5rem; margin: .3rem 0; grid-template-columns: repeat(auto-fill, minmax(min(17rem, 100%), 1fr)); }
    .card dt { color: var(--dim); font-size: .85rem; } .card dd { margin: 0; }
    """
}
