// The same for a test program.

#include <gtest/gtest.h>

#include "precompiled/std.hpp"
