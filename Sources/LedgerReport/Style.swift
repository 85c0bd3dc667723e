/// The look of the page. Colours are those of Okabe and Ito, which all eyes can tell apart.
enum Style {
  static let sheet: HTML = """

    :root{color-scheme:light dark;--paper:#fff;--ground:#f4f4f2;--ink:#1a1a1a;--faint:#595959;
    --line:#d8d8d4;--filled:#0072b2;--band:#56b4e9;--band-opacity:.28;--double:#d55e00;
    --doubt:#e69f00;--pending:#009e73;--denial:#a8577f;--void:#8a8a8a;--on-filled:#fff}
    @media(prefers-color-scheme:dark){:root{--paper:#141414;--ground:#1f1f1f;--ink:#ececec;
    --faint:#a8a8a8;--line:#3a3a3a;--filled:#56b4e9;--band:#0072b2;--band-opacity:.45;
    --double:#d55e00;--denial:#cc79a7;--void:#9a9a9a;--on-filled:#000}}
    *{box-sizing:border-box}
    body{margin:0;background:var(--paper);color:var(--ink);
    font:16px/1.45 system-ui,-apple-system,"Segoe UI",sans-serif;overflow-wrap:anywhere}
    main{max-width:84rem;margin:0 auto;padding:1rem clamp(.75rem,3vw,2rem) 3rem}
    header{border-left:.5rem solid var(--void);padding:.25rem 0 .25rem 1rem}
    header.holds{border-color:var(--pending)}header.violated{border-color:var(--double)}
    header.attention{border-color:var(--doubt)}
    .title{margin:0;color:var(--faint)}
    h1{font-size:clamp(1.25rem,4vw,1.9rem);line-height:1.2;margin:.2rem 0 .6rem}
    h2{font-size:1.25rem;margin:2.25rem 0 .5rem}
    p{margin:.4rem 0;max-width:60rem}
    dl{display:flex;flex-wrap:wrap;gap:.4rem 1.75rem;margin:.75rem 0}
    dt{color:var(--faint);font-size:.8125rem}dd{margin:0}
    svg{display:block;width:100%;overflow:visible;font:12px system-ui,sans-serif}
    svg svg{overflow:hidden}
    svg.symbols{position:absolute;width:0}
    .legend{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;list-style:none;padding:0;
    margin:.75rem 0;font-size:.875rem}
    .legend li{display:flex;align-items:center;gap:.4rem}.legend svg{width:24px;flex:none}
    .lanes{padding-right:12px}
    .lane{display:grid;grid-template-columns:13rem minmax(0,1fr);gap:0 1.25rem;
    align-items:center;margin:0 0 .5rem;break-inside:avoid}
    .name{font-size:.8125rem;line-height:1.3;color:var(--faint)}
    .name b{color:var(--ink);font-size:.9375rem}
    .scale{margin:0}
    .zooms{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,26rem),1fr));
    gap:1rem 2rem}
    figure{margin:0;break-inside:avoid}
    figcaption{margin:0 0 .5rem}
    .trade{font-size:.8125rem;color:var(--faint);margin:.25rem 0}.trade b{color:var(--ink)}
    summary{cursor:pointer;padding:.5rem 0}
    .table{overflow-x:auto;margin:.5rem 0;max-height:36rem;overflow-y:auto;
    border:1px solid var(--line)}
    table{border-collapse:collapse;font-size:.8125rem;font-variant-numeric:tabular-nums;
    overflow-wrap:normal;min-width:100%}
    th,td{text-align:left;padding:.3rem .75rem;white-space:nowrap;
    border-bottom:1px solid var(--line)}
    th{position:sticky;top:0;background:var(--ground)}
    tbody tr:last-child td{border-bottom:0}
    .ground{fill:var(--ground)}.grid{stroke:var(--line)}
    .tick{fill:var(--faint);text-anchor:middle}.start{text-anchor:start}.end{text-anchor:end}
    .band{fill:var(--band);fill-opacity:var(--band-opacity)}
    .filled{fill:var(--filled)}circle.filled{stroke:var(--paper)}
    .void{fill:var(--ground);stroke:var(--void);stroke-width:1.5}
    path.void{fill:var(--void);stroke:none}
    .pending{fill:var(--pending)}.doubt{fill:var(--doubt)}
    .double{fill:var(--double);stroke:var(--paper)}
    .other{fill:none;stroke:var(--faint);stroke-width:2}
    .open{stroke-width:4;fill:none}.drop{stroke-width:1.5}
    line.pending{stroke:var(--pending)}line.doubt{stroke:var(--doubt)}
    .arrow{fill:var(--faint)}
    .denial{fill:var(--denial)}
    .ticks{stroke:var(--denial);stroke-width:1.25;vector-effect:non-scaling-stroke;fill:none}
    .gap{stroke:var(--double);stroke-width:2}
    .event{text-anchor:middle;font-weight:700;fill:var(--ink);stroke:none}
    line.event{stroke:var(--ink);stroke-width:1.5}
    .letter{text-anchor:middle;font-size:10px;font-weight:700;fill:var(--ink)}
    .on{fill:#000}.white{fill:#fff}.big{font-size:13px;fill:var(--on-filled)}
    .big.white{fill:#fff}
    @media(max-width:44rem){.lane{grid-template-columns:minmax(0,1fr)}.odd{display:none}
    .lane.scale{position:static}}
    @media print{main{max-width:none;padding:0}.table{max-height:none;overflow:visible;border:0}
    th{position:static}table{font-size:7pt}th,td{white-space:normal;padding:.1rem .3rem}
    .band,.filled,.double,.doubt,.pending,.ground,header{print-color-adjust:exact}}

    """
}
