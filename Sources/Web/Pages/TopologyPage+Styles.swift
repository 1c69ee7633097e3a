extension TopologyPage {
  static let styles: HTML = """

    .chooser { display: flex; flex-wrap: wrap; gap: 0 1.5rem; align-items: center; justify-content: space-between; }
    .chooser form { margin: .25rem 0; } .chooser input[type=search] { font: inherit; color: inherit; background: var(--page);
      border: 1px solid var(--line); border-radius: .3rem; padding: .35rem .6rem; min-width: 12rem; }
    .line { display: grid; grid-template-columns: minmax(15rem, 2.4fr) repeat(7, minmax(4.6rem, 1fr)); gap: .25rem .75rem;
      align-items: baseline; font-variant-numeric: tabular-nums; }
    .heads { color: var(--dim); font-size: .85rem; font-weight: 600; padding: .25rem .75rem; }
    .workload { border: 1px solid var(--line); border-left: .35rem solid var(--tone); border-radius: .3rem; color: inherit;
      background: var(--card); margin: 0 0 .5rem; padding: 0 .75rem; }
    .workload > summary { padding: .5rem 0; list-style-position: inside; } .workload[open] { padding-bottom: .75rem; }
    .workload > summary::-webkit-details-marker { display: none; } .workload > summary { list-style: none; }
    .who { overflow-wrap: anywhere; font-size: 1rem; font-weight: 400; margin: 0; } .who b { font-size: 1.05rem; }
    .verdict { color: var(--tone); font-weight: 600; } .since { font-size: .85rem; }
    .number b { font-weight: 600; } .number small { display: block; color: var(--dim); } .label { display: none; }
    .findings small { color: var(--dim); }
    .workload p { margin: .25rem 0 .5rem; overflow-wrap: anywhere; }
    .workload h3 { font-size: .85rem; color: var(--dim); margin: .5rem 0 0; }
    .shard > summary { font-size: .9rem; }
    td, tbody th { padding-top: .3rem; padding-bottom: .3rem; }
    td:first-child { width: 30%; } .role { width: 12%; } .state { width: 24%; }
    td.state { font-weight: inherit; } .state small { color: var(--dim); display: block; }
    .dot { display: inline-block; width: .6rem; height: .6rem; border-radius: 50%; background: var(--tone);
      margin-right: .45rem; }
    .bar { width: 6rem; height: .6rem; margin-right: .5rem; background: var(--track); border-radius: .2rem; }
    .bar rect { fill: var(--good); } .bar.high rect { fill: var(--warning); } .bar .mark { fill: CanvasText; }
    \(BudgetBar.styles)
    .phone { display: none; } .foot { font-size: .85rem; margin-top: 1.5rem; }
    \(RunbookPage.markdownStyles)
    @media (max-width: 62rem) {
      .line.heads { display: none; } .line { display: flex; flex-wrap: wrap; gap: .1rem 1rem; } .who { width: 100%; }
      .label { display: inline; color: var(--dim); } .number { font-size: .9rem; } .number small { display: inline; }
      .number:has(b.dim) { display: none; }
    }
    @media (max-width: 42rem) {
      thead { display: none; } .phone { display: inline; color: var(--dim); }
      table, tbody { display: block; }
      tr { display: flex; flex-wrap: wrap; gap: .1rem .9rem; padding: .35rem 0; border-bottom: 1px solid var(--line); }
      td, tbody th { border: 0; padding: 0; } td:empty { display: none; }
      td:first-child { width: 100%; font-weight: 600; } .role, .state { width: auto; }
      .chooser form, .chooser input { width: 100%; }
    }
    """
}
