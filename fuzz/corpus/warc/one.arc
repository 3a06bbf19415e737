filedesc://a.arc 0.0.0.0 20140216050221 text/plain 20
1 0 X
URL IP-address

http://a.example/ 1.2.3.4 20140216050221 text/html 87
HTTP/1.1 200 OK
Content-Type: text/html
Transfer-Encoding: chunked

5
<p>ab
0


