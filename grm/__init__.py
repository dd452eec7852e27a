"""Grievance Redress Management for Bangladesh's social security programmes."""
