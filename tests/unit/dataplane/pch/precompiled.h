// The system headers of the room and of its tests, parsed once. Each file still includes
// what it uses.
#include <gtest/gtest.h>

#include "dataplane/pch/precompiled.h"
