"""What every page needs: guard, errors, security headers, locale, presentation, health."""
