#include "dsl/Interpreter.h"
