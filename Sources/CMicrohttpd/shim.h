#pragma once
#include <gnutls/gnutls.h>
#include <microhttpd.h>
