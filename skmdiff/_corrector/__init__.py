"""What finished rows still give away: a classifier tells them from training rows, and some are drawn again."""
