"""What launches runs: refreshes, jobs, schedules, sensors, the inbox and alerts.

All of it goes by the one judge in ``staleness`` and has no opinion of its own on what is out of
date. Not here: what an asset does (``assets``) and how its content is stored (``io_managers``).
"""
