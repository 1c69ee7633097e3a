#pragma once
#include <cmark-gfm-core-extensions.h>
