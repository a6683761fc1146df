"""Jobs, schedules and sensors, without a daemon."""
