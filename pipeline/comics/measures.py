"""The proportions of lettering, in ems, that fitting, drawing and exports share."""

LEADING = 1.16  # baseline to baseline
CAP = 0.76  # from the baseline up to the top of a tall letter
DROP = 0.26  # from the baseline down to where descenders end
COLUMN = 1.0  # the width of a column of upright signs
COLUMN_PITCH = 1.22  # from column to column
ROUNDNESS = 2.35  # exponent of the superellipse; 2 is an ellipse, more is squarer
