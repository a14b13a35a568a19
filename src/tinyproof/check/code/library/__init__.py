"""What a library means to a notebook that calls it: functions, methods, data sets, networks."""
