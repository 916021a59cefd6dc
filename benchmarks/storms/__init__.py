"""Storms: random runs of the whole stopping machine, with faults, kills and two replicas, judged by what must hold."""
