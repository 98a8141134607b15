"""Daily sums that Plausible, Umami and Google Analytics 4 leave behind, imported beside what is tracked."""
