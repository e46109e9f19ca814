#!/usr/bin/env python3
"""Points per household, computed from the grocery data alone.

The independent check of `club replay grocery`: it shares no code with the product and uses nothing but Python's
standard library. A basket is a receipt; a line's kopecks are round(sales_value x 100) x rate; a receipt earns one
point per 10 roubles (1000 kopecks) of its total, rounded down once per receipt.

    points_per_household.py FOLDER [--households LO-HI] [--from DATE] [--to DATE] [--rate 60]

prints "household<TAB>points" a line, sorted by household. --from is inclusive, --to exclusive, both at midnight UTC.
"""

import argparse
import collections
import csv
import decimal
import gzip
import os

CENT = decimal.Decimal("0.01")


def points(folder, low, high, start, end, rate):
    kopecks = collections.Counter()
    with gzip.open(os.path.join(folder, "transactions.csv.gz"), "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            household, moment = int(row["household_id"]), row["transaction_timestamp"]
            if low <= household <= high and start <= moment < end:
                dollars = decimal.Decimal(row["sales_value"]).quantize(CENT, rounding=decimal.ROUND_HALF_UP)
                kopecks[household, row["basket_id"]] += int(dollars * 100) * rate
    total = collections.Counter()
    for (household, _), amount in kopecks.items():
        total[household] += amount // 1000
    return total


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--households", default="0-999999999", metavar="LO-HI")
    parser.add_argument("--from", dest="start", default="0000-01-01", metavar="DATE")
    parser.add_argument("--to", dest="end", default="9999-12-31", metavar="DATE")
    parser.add_argument("--rate", type=int, default=60, help="kopecks per cent")
    options = parser.parse_args()
    low, high = (int(number) for number in options.households.split("-"))
    # ISO 8601 sorts as text: "2017-01-01" comes before "2017-01-01T00:00:00" and after all of the day before.
    found = points(options.folder, low, high, options.start, options.end, options.rate)
    for household in sorted(found):
        print(f"{household}\t{found[household]}")


if __name__ == "__main__":
    main()
