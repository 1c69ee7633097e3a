extension TopologyPage {
  static let styles: HTML = """

    :root { --warning: #8a5a00; --note: #5c6570; --card: #f6f7f9; --track: #dfe3e8; --page: #fff; }
    @media (prefers-color-scheme: dark) {
      :root { --warning: #e0b04a; --note: #9aa4af; --card: #1f242a; --track: #39414a; --page: #14171b; }
    }
    body { background: var(--page); }
    main { max-width: 76rem; }
    .good { --tone: var(--good); } .note { --tone: var(--note); }
    .warning { --tone: var(--warning); } .bad { --tone: var(--bad); }
    section.good, section.note, section.bad, .tile { color: inherit; }
    .warning { color: var(--warning); } section.warning { color: inherit; }
    .tiles { display: flex; flex-wrap: wrap; gap: .6rem; margin: 1rem 0; }
    .tile { border: 1px solid var(--line); border-left: .35rem solid var(--tone); border-radius: .3rem;
      padding: .4rem .8rem; text-decoration: none; background: var(--card); color: CanvasText; }
    .tile span:not(.dim), .verdict { color: var(--tone); font-weight: 600; }
    .tile b, h2 { overflow-wrap: anywhere; }
    section { border-top: 2px solid var(--tone); margin-top: 1.6rem; }
    section h2 { margin: .7rem 0 0; } .verdict { font-size: .95rem; padding-left: .4rem; }
    section p { margin: .2rem 0 .6rem; overflow-wrap: anywhere; }
    .tag { font-size: .8rem; font-weight: 400; border: 1px solid var(--line); border-radius: 1rem; padding: .1rem .6rem; }
    .findings { list-style: none; margin: .4rem 0 .6rem; padding: 0; }
    .findings li { border-left: .25rem solid var(--tone); padding: .1rem .7rem; margin: .25rem 0; color: inherit;
      overflow-wrap: anywhere; background: var(--card); }
    table { font-variant-numeric: tabular-nums; }
    td, tbody th { padding-top: .3rem; padding-bottom: .3rem; }
    td:first-child { width: 30%; } .role { width: 12%; } .state { width: 24%; }
    .group th { font-size: .85rem; padding-top: .7rem; }
    .state { color: var(--tone); } .state small { color: var(--dim); display: block; }
    .dot { display: inline-block; width: .6rem; height: .6rem; border-radius: 50%; background: var(--tone);
      margin-right: .45rem; }
    .bar { display: inline-block; position: relative; width: 6rem; height: .6rem; background: var(--track);
      border-radius: .2rem; margin-right: .5rem; }
    .bar i { position: absolute; inset: 0 auto 0 0; background: var(--good); border-radius: .2rem; }
    .bar.high i { background: var(--warning); }
    .bar u { position: absolute; top: -.15rem; bottom: -.15rem; width: 2px; background: CanvasText; }
    .phone { display: none; }
    @media (max-width: 42rem) {
      main { padding: 1rem .8rem; }
      thead { display: none; } .phone { display: inline; color: var(--dim); }
      table, tbody { display: block; }
      tr { display: flex; flex-wrap: wrap; gap: .1rem .9rem; padding: .35rem 0; border-bottom: 1px solid var(--line); }
      td, tbody th { border: 0; padding: 0; } td:empty { display: none; }
      td:first-child { width: 100%; font-weight: 600; } .role, .state { width: auto; }
    }
    """
}
