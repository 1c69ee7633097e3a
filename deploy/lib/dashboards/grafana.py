"""Turns the tables into what Grafana 10 and 11 read."""

import json

from .model import OBJECTIVE, Dashboard, Panel, Query

SCHEMA_VERSION = 39
WIDTH, STAT_HEIGHT, HEIGHT = 24, 4, 8
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
WHERE = 'job="$job",environment=~"$environment",workload=~"$workload"'
MASTERS = f'and on (job, environment, workload, instance) redis_instance_role{{{WHERE},role="master"}} == 1'
# A failover and a save tell when they were; a rewrite of the AOF and a mark are only counted. A window is open for a while.
ANNOTATIONS = (
    ("Failovers", "red", "(redis_failover_last_timestamp_seconds{$where} > 0) * 1000",
     "{{master_name}} has a new master", True),
    ("RDB saves", "blue",
     "(redis_rdb_last_save_timestamp_seconds{$where} and redis_rdb_ever_saved{$where} == 1) * 1000",
     "{{instance}} has saved an RDB file", True),
    ("AOF rewrites", "purple", "(changes(redis_aof_rewrites_total{$where}[1m]) > bool 0) == 1",
     "{{instance}} has rewritten its AOF", False),
    ("Marks", "yellow", "(changes(redis_workload_marks_total{$where}[1m]) > bool 0) == 1", "{{workload}}: {{kind}}", False),
    ("Maintenance windows", "super-light-blue", "redis_workload_in_maintenance{$where} == 1", "{{workload}} is in maintenance", False),
)


def expanded(text: str) -> str:
    return text.replace("$masters", MASTERS).replace("$where", WHERE)


def target(query: Query, index: int, panel: Panel) -> dict:
    instant = panel.kind in ("stat", "table")
    return {
        "datasource": DATASOURCE, "editorMode": "code", "expr": expanded(query.text),
        "format": "table" if panel.kind == "table" else "time_series", "instant": instant,
        "legendFormat": query.legend, "range": not instant, "refId": chr(ord("A") + index)}


def drawing(panel: Panel) -> dict:
    """What is particular to a kind of panel: its options, and how a field of it is drawn."""
    if panel.kind == "timeseries":
        return {
            "options": {"legend": {"calcs": ["lastNotNull", "max"], "displayMode": "table", "placement": "bottom",
                                   "showLegend": True},
                        "tooltip": {"mode": "multi", "sort": "desc"}},
            "custom": {"drawStyle": "line", "fillOpacity": 8, "lineWidth": 1, "showPoints": "never",
                       "spanNulls": False}}
    if panel.kind == "stat":
        return {
            "options": {"colorMode": "value", "graphMode": "none", "justifyMode": "auto", "orientation": "auto",
                        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
                        "textMode": "value"},
            "custom": {}}
    if panel.kind == "state-timeline":
        return {
            "options": {"alignValue": "left", "legend": {"displayMode": "list", "placement": "bottom",
                                                         "showLegend": True},
                        "mergeValues": True, "rowHeight": 0.8, "showValue": "never",
                        "tooltip": {"mode": "single", "sort": "none"}},
            "custom": {"fillOpacity": 80, "lineWidth": 0}}
    return {"options": {"cellHeight": "sm", "showHeader": True}, "custom": {"filterable": True}}


def objective_override() -> dict:
    return {"matcher": {"id": "byRegexp", "options": f"/^{OBJECTIVE}/"}, "properties": [
        {"id": "color", "value": {"fixedColor": "red", "mode": "fixed"}},
        {"id": "custom.fillOpacity", "value": 0},
        {"id": "custom.lineStyle", "value": {"dash": [8, 6], "fill": "dash"}}]}


def field_config(panel: Panel, custom: dict) -> dict:
    steps = [{"color": "green", "value": None}]
    if panel.red_from is not None:
        steps.append({"color": "red", "value": panel.red_from})
    by_value = panel.kind in ("stat", "state-timeline")
    defaults = {
        "color": {"mode": "thresholds" if by_value else "palette-classic-by-name"}, "custom": custom, "mappings": [],
        "thresholds": {"mode": "absolute", "steps": steps}, "unit": panel.unit}
    if panel.kind == "timeseries" and panel.red_from is not None:
        defaults["custom"] = custom | {"thresholdsStyle": {"mode": "dashed"}}
    if panel.states:
        zero, one, colour = panel.states
        defaults["mappings"] = [{"type": "value", "options": {
            "0": {"color": colour, "index": 0, "text": zero}, "1": {"color": "green", "index": 1, "text": one}}}]
    for key, value in (("min", panel.low), ("max", panel.high)):
        if value is not None:
            defaults[key] = value
    return {"defaults": defaults, "overrides": [objective_override()] if panel.objective else []}


def rendered(panel: Panel, number: int, place: dict) -> dict:
    queries = panel.queries + ((Query(panel.objective, f"{OBJECTIVE} {{{{workload}}}}"),) if panel.objective else ())
    look = drawing(panel)
    links = [{"targetBlank": True, "title": f"Runbook {panel.runbook}",
              "url": f"${{redline}}/runbooks/{panel.runbook}"}] if panel.runbook else []
    return {
        "datasource": DATASOURCE, "description": panel.description, "fieldConfig": field_config(panel, look["custom"]),
        "gridPos": place, "id": number, "links": links, "options": look["options"],
        "targets": [target(query, index, panel) for index, query in enumerate(queries)],
        "title": panel.title, "type": panel.kind}


def panels(dashboard: Dashboard) -> list[dict]:
    """In the order of the table: stats in one line, all else two abreast, tables over the whole width."""
    made, y = [], 0
    for row in dashboard.rows:
        made.append({"collapsed": False, "gridPos": {"h": 1, "w": WIDTH, "x": 0, "y": y}, "id": len(made) + 1,
                     "panels": [], "title": row.title, "type": "row"})
        y += 1
        stats = sum(panel.kind == "stat" for panel in row.panels)
        x = height = 0
        for panel in row.panels:
            wanted = WIDTH // stats if panel.kind == "stat" else WIDTH if panel.kind == "table" else WIDTH // 2
            if x + wanted > WIDTH or (height and height != (STAT_HEIGHT if panel.kind == "stat" else HEIGHT)):
                x, y = 0, y + height
            height = STAT_HEIGHT if panel.kind == "stat" else HEIGHT
            place = {"h": height, "w": wanted, "x": x, "y": y}
            made.append(rendered(panel, len(made) + 1, place))
            x += wanted
        y += height
    return made


def chosen(name: str, label: str, query: str, many: bool) -> dict:
    """A variable whose values are those of a label."""
    return {
        "current": {}, "datasource": DATASOURCE, "definition": query, "hide": 0, "includeAll": many, "label": label,
        "multi": many, "name": name, "options": [], "query": {"qryType": 1, "query": query, "refId": name},
        "refresh": 2, "regex": "", "skipUrlSync": False, "sort": 1, "type": "query"}


def variables(dashboard: Dashboard) -> list[dict]:
    offered = 'job="$job",environment=~"$environment"' + dashboard.workloads
    made = [
        {"current": {}, "hide": 0, "includeAll": False, "label": "Data source", "multi": False, "name": "datasource",
         "options": [], "query": "prometheus", "refresh": 1, "regex": "", "skipUrlSync": False, "type": "datasource"},
        # One redline of a pair. As a data source, Redline gives its own series a job as well: `rules.job`, or redline.
        chosen("job", "Job", "label_values(redis_workload_info, job)", many=False),
        chosen("environment", "Environment", 'label_values(redis_workload_info{job="$job"}, environment)', many=True),
        chosen("workload", "Workload", f"label_values(redis_workload_info{{{offered}}}, workload)", many=True)]
    address = "http://redline:9121"
    made.append({"current": {"text": address, "value": address}, "hide": 0, "label": "Redline's address",
                 "name": "redline", "options": [{"selected": True, "text": address, "value": address}],
                 "query": address, "skipUrlSync": False, "type": "textbox"})
    return made


def annotations() -> list[dict]:
    return [{"datasource": DATASOURCE, "enable": True, "expr": expanded(query), "hide": False,
             "iconColor": colour, "name": name, "step": "15s", "tagKeys": "workload,instance", "titleFormat": title,
             "useValueForTime": "on" if is_time else ""}
            for name, colour, query, title, is_time in ANNOTATIONS]


def document(dashboard: Dashboard) -> str:
    """The file, always in the same form."""
    return json.dumps({
        "annotations": {"list": annotations()}, "description": dashboard.description, "editable": True,
        "fiscalYearStartMonth": 0, "graphTooltip": 1, "id": None,
        "links": [{"asDropdown": True, "icon": "external link", "includeVars": True, "keepTime": True,
                   "tags": ["redline"], "targetBlank": False, "title": "Redline", "type": "dashboards"}],
        "panels": panels(dashboard), "refresh": "30s", "schemaVersion": SCHEMA_VERSION, "tags": ["redline", "redis"],
        "templating": {"list": variables(dashboard)}, "time": {"from": "now-1h", "to": "now"}, "timepicker": {},
        "timezone": "browser", "title": dashboard.title, "uid": dashboard.uid, "version": 1,
        "weekStart": ""}, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
