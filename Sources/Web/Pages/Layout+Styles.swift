extension Layout {
  /// Of all pages. Colours have a contrast of 4.5 or more on their ground, in light and dark.
  static let styles: HTML = """
    :root { color-scheme: light dark; --line: #d5d9de; --dim: #5c6570; --good: #1a7f37; --bad: #b42318; --link: #0b62c4;
      --warning: #8a5a00; --note: #5c6570; --card: #f6f7f9; --track: #dfe3e8; --page: #fff; --text: #14171b; }
    @media (prefers-color-scheme: dark) {
      :root { --line: #3a4048; --dim: #9aa4af; --good: #57c271; --bad: #ff8a7a; --link: #7ab7ff; --warning: #e0b04a;
        --note: #9aa4af; --card: #1f242a; --track: #39414a; --page: #14171b; --text: #e8ebee; }
    }
    * { box-sizing: border-box; }
    body { font: 15px/1.5 system-ui, sans-serif; margin: 0; background: var(--page); color: var(--text); }
    main { max-width: 76rem; margin: 0 auto; padding: 1.2rem 1rem 3rem; } main:focus { outline: none; }
    h1 { font-size: 1.4rem; margin: 0 0 1rem; overflow-wrap: anywhere; }
    h2 { font-size: 1.15rem; margin: 1.8rem 0 .5rem; overflow-wrap: anywhere; }
    h3 { font-size: 1rem; margin: 1rem 0 .3rem; overflow-wrap: anywhere; }
    p, li, dd { overflow-wrap: anywhere; }
    a { color: var(--link); }
    a:focus-visible, summary:focus-visible, pre:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
    .skip { position: absolute; left: -99rem; } .skip:focus { left: .5rem; top: .5rem; background: var(--page);
      padding: .5rem; z-index: 1; }
    .site { display: flex; flex-wrap: wrap; gap: 0 1.1rem; padding: .3rem 1rem; background: var(--card);
      border-bottom: 1px solid var(--line); }
    .site a { padding: .45rem 0; text-decoration: none; }
    .site a[aria-current] { color: inherit; font-weight: 600; border-bottom: 3px solid var(--link); }
    @media (max-width: 30rem) { .site { gap: 0 .3rem; padding: .2rem .5rem; font-size: 14px; } main { padding: 1rem .7rem 3rem; } }
    .dim { color: var(--dim); } .stale { color: var(--dim); filter: grayscale(1); } .as-of { white-space: nowrap; }
    .good { color: var(--good); --tone: var(--good); } .note { --tone: var(--note); }
    .warning { color: var(--warning); --tone: var(--warning); } .bad { color: var(--bad); --tone: var(--bad); }
    section.good, section.note, section.warning, section.bad, article.good, article.note, article.warning, article.bad,
      li.good, li.warning, li.bad { color: inherit; }
    .banner { border: 2px solid var(--bad); border-radius: .3rem; background: var(--card); color: var(--text);
      padding: .3rem .8rem; margin: 0 0 1rem; } .banner p { margin: .2rem 0; } .banner b { color: var(--bad); }
    .tag { font-size: .8rem; font-weight: 400; border: 1px solid var(--line); border-radius: 1rem; padding: .05rem .6rem;
      overflow-wrap: anywhere; }
    .state { color: var(--tone); font-weight: 600; }
    .findings { list-style: none; margin: .4rem 0 .6rem; padding: 0; }
    .findings li { border-left: .25rem solid var(--tone); padding: .1rem .7rem; margin: .25rem 0; color: inherit;
      overflow-wrap: anywhere; background: var(--card); }
    .filters { display: flex; flex-wrap: wrap; gap: .5rem; margin: .8rem 0; padding: 0; list-style: none; }
    .filters a { display: block; border: 1px solid var(--line); border-radius: .3rem; padding: .35rem .7rem;
      text-decoration: none; background: var(--card); }
    .filters a[aria-current] { border-color: var(--link); box-shadow: inset 0 0 0 1px var(--link); font-weight: 600; }
    summary { cursor: pointer; padding: .3rem 0; overflow-wrap: anywhere; }
    pre { background: var(--card); border: 1px solid var(--line); border-radius: .3rem; padding: .6rem .7rem;
      overflow-x: auto; font: 13px/1.45 ui-monospace, monospace; margin: .5rem 0; }
    code { font-family: ui-monospace, monospace; font-size: .92em; overflow-wrap: anywhere; }
    .copied-from { position: relative; } .copied-from button { position: absolute; right: .3rem; top: .3rem; font: inherit;
      font-size: .8rem; color: inherit; background: var(--page); border: 1px solid var(--line); border-radius: .3rem;
      padding: .15rem .6rem; cursor: pointer; }
    .lead { font-size: 1.1rem; } [hidden] { display: none !important; }
    .table { overflow-x: auto; }
    table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
    th, td { text-align: left; padding: .4rem .8rem .4rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
    th { font-weight: 600; color: var(--dim); }
    td { overflow-wrap: anywhere; }
    @media (max-width: 42rem) {
      .site a, .filters a, summary, button, input[type=search] { min-height: 44px; min-width: 44px; }
      .site a, .filters a { display: inline-flex; align-items: center; }
      summary { padding: .7rem 0; } .copied-from button { padding: .15rem 1rem; }
    }
    @media print {
      :root { color-scheme: light; --line: #999; --dim: #333; --good: #000; --bad: #000; --link: #000; --warning: #000;
        --note: #000; --card: #fff; --track: #ccc; --page: #fff; --text: #000; }
      body { font-size: 11pt; } main { max-width: none; padding: 0; }
      .site, .skip, .filters, .screen { display: none; }
      pre { white-space: pre-wrap; overflow-wrap: anywhere; } pre, table, .card { break-inside: avoid; }
      h1, h2, h3 { break-after: avoid; } a { text-decoration: none; }
    }
    """
}
