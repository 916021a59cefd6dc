"""Prevented: seeded runaways played through the product, and the dollars over their limits that were never spent."""
