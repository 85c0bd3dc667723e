#pragma once
#include <stdint.h>
// Runs `design` in so many processes for so long, on a fresh database in `directory`, and prints
// what came of it.
int ceiling(const char *design, const char *directory, int processes, int64_t microseconds);
