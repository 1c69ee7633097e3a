"""A day of a fleet's samples, and expressions over them: what the differential test of PromQL is made of."""
