extension TopologyPage {
  static let styles: HTML = """

    .tiles { display: flex; flex-wrap: wrap; gap: .6rem; margin: 1rem 0; }
    .tile { border: 1px solid var(--line); border-left: .35rem solid var(--tone); border-radius: .3rem;
      padding: .4rem .8rem; text-decoration: none; background: var(--card); color: CanvasText; }
    .tile span:not(.dim), .verdict { color: var(--tone); font-weight: 600; }
    .tile b, h2 { overflow-wrap: anywhere; }
    section { border-top: 2px solid var(--tone); margin-top: 1.6rem; }
    section h2 { margin: .7rem 0 0; } .verdict { font-size: .95rem; padding-left: .4rem; }
    .since { font-size: .85rem; font-weight: 400; } section h3 { font-size: .85rem; color: var(--dim); margin: .5rem 0 0; }
    section p { margin: .2rem 0 .6rem; overflow-wrap: anywhere; }
    td, tbody th { padding-top: .3rem; padding-bottom: .3rem; }
    td:first-child { width: 30%; } .role { width: 12%; } .state { width: 24%; }
    .group th { font-size: .85rem; padding-top: .7rem; }
    td.state { font-weight: inherit; } .state small { color: var(--dim); display: block; }
    .dot { display: inline-block; width: .6rem; height: .6rem; border-radius: 50%; background: var(--tone);
      margin-right: .45rem; }
    .bar { width: 6rem; height: .6rem; margin-right: .5rem; background: var(--track); border-radius: .2rem; }
    .bar rect { fill: var(--good); } .bar.high rect { fill: var(--warning); } .bar .mark { fill: CanvasText; }
    .phone { display: none; }
    @media (max-width: 42rem) {
      thead { display: none; } .phone { display: inline; color: var(--dim); }
      table, tbody { display: block; }
      tr { display: flex; flex-wrap: wrap; gap: .1rem .9rem; padding: .35rem 0; border-bottom: 1px solid var(--line); }
      td, tbody th { border: 0; padding: 0; } td:empty { display: none; }
      td:first-child { width: 100%; font-weight: 600; } .role, .state { width: auto; }
    }
    """
}
