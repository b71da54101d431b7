"""Quality: verdicts about pictures, and the cards that show them."""
