#include "control/operation.h"
