"""The application: services, queue, processes, settings, command line."""
