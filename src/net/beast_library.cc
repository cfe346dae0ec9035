// The one translation unit that holds the compiled parts of Boost.Beast.
#include <boost/beast/src.hpp>
