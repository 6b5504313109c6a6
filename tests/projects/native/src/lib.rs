pub unsafe extern "C" fn call() {}
