"""Servers whose replies are odd in one number or in many, and a daemon that has to stand it."""
