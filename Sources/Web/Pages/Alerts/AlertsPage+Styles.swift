extension AlertsPage {
  static let styles: HTML = """

    section { margin-top: 1.4rem; } section h2 { margin: .6rem 0 .3rem; } section h2 span { font-weight: 400; font-size: 1rem; }
    \(cardStyles)
    .card h3 span { font-weight: 400; } .card h3 .state { font-weight: 600; }
    .rows { list-style: none; margin: .3rem 0; padding: 0; }
    .rows > li { border-top: 1px solid var(--line); padding: .4rem 0; color: inherit; }
    .rows p { margin: .1rem 0; } .since { color: var(--dim); }
    .told .tag { color: var(--text); } .rows details { font-size: .9rem; }
    .actions { font-size: .9rem; } .foot { font-size: .85rem; margin-top: 1.5rem; }
    \(RunbookPage.markdownStyles)
    @media (max-width: 42rem) {
      .actions a { display: inline-block; padding: .6rem 0; }
    }
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
