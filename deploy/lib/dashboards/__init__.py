"""The Grafana dashboards of deploy/grafana, each written as a table of panels."""
